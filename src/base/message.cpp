#include "base/message.hpp"

#include <memory>
#include <new>
#include <type_traits>

namespace tern {

static_assert(std::is_trivially_copyable<Message>::value, "callers move messages with memcpy");

struct Message::Group {
    std::atomic<uint32_t> references{1};
    std::string text;
};

struct Message::UsersBlock : Block {
    FreeFunction *free_body;
    void *hint;
};

Error Message::init_copy(Bytes body) {
    const Error error = init_size(body.size());
    if (!error && !body.empty()) std::memcpy(data(), body.data(), body.size());
    return error;
}

Error Message::init_block(size_t size) {
    // No object is larger, and malloc need not be asked.
    if (size > PTRDIFF_MAX - sizeof(Block)) return err::no_memory;
    BodyPool::SizeClass size_class;
    void *const memory = BodyPool::take(sizeof(Block) + size, size_class);
    if (!memory) return err::no_memory;
    Block *const block = new (memory) Block{{1}, size_class};
    init();
    kind_ = Kind::block;
    body_ = {block, reinterpret_cast<uint8_t *>(block + 1), size};
    return err::none;
}

Error Message::init_data(void *data, size_t size, FreeFunction *free_body, void *hint) {
    if (!free_body) {
        init_constant(data, size);
        return err::none;
    }
    BodyPool::SizeClass size_class;
    void *const memory = BodyPool::take(sizeof(UsersBlock), size_class);
    if (!memory) return err::no_memory;
    Block *const block = new (memory) UsersBlock{{{1}, size_class}, free_body, hint};
    init();
    kind_ = Kind::user;
    body_ = {block, static_cast<uint8_t *>(data), size};
    return err::none;
}

void Message::init_constant(const void *data, size_t size) {
    init();
    kind_ = Kind::constant;
    body_ = {nullptr, static_cast<uint8_t *>(const_cast<void *>(data)), size};
}

void Message::release() {
    if (metadata_) metadata_->drop_references(1);
    if (group_ && group_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete group_;
    release_body();
}

void Message::release_body() {
    if (kind_ != Kind::block && kind_ != Kind::user) return;
    Block *block = body_.block;
    // A body that was never shared has one holder: no atomic operation needed.
    if (has(shared) && block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (kind_ == Kind::user) {
        const auto *const users = static_cast<const UsersBlock *>(block);
        users->free_body(body_.data, users->hint);
    }
    BodyPool::give(block, block->size_class);
}

void Message::share(Message &from) {
    if (from.kind_ == Kind::block || from.kind_ == Kind::user) {
        from.set(shared);
        from.body_.block->references.fetch_add(1, std::memory_order_relaxed);
    }
    if (from.metadata_) from.metadata_->add_references(1);
    if (from.group_) from.group_->references.fetch_add(1, std::memory_order_relaxed);
    *this = from;
}

void Message::set_metadata(Metadata *metadata) {
    if (metadata) metadata->add_references(1);
    if (metadata_) metadata_->drop_references(1);
    metadata_ = metadata;
}

const char *Message::group() const { return group_ ? group_->text.c_str() : ""; }

Error Message::set_group(std::string_view group) {
    std::unique_ptr<Group> fresh; // the text may throw
    if (!group.empty()) {
        fresh.reset(new (std::nothrow) Group);
        if (!fresh) return err::no_memory;
        fresh->text = group;
    }
    if (group_ && group_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete group_;
    group_ = fresh.release();
    return err::none;
}

} // namespace tern
