// Message: one frame with its flags. It *is* the zmq_msg_t of the C API: 64 bytes that callers may
// move with memcpy, so nothing inside points into itself. Small bodies live inline, larger ones in
// one reference-counted block, in the caller's memory with its free function, or in constant memory.
// Threads: a Message belongs to one thread; the block behind it may be shared by many.
// Owner:   whoever holds the object; close() gives the body back. There is no destructor, because
//          the C API hands raw memory about; OwnMessage below is the RAII form for our own use.
#ifndef TERN_BASE_MESSAGE_HPP
#define TERN_BASE_MESSAGE_HPP

#include "base/body_pool.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"

#include <atomic>
#include <map>
#include <string>
#include <utility>

namespace tern {

using FreeFunction = void(void *data, void *hint);

// What a connection knows about its peer, shared by all messages that came from it.
// Immutable once a message refers to it.
class Metadata {
  public:
    using Properties = std::map<std::string, std::string, std::less<>>;
    explicit Metadata(Properties properties) : properties_(std::move(properties)) {}

    const char *find(std::string_view name) const {
        const auto it = properties_.find(name);
        return it == properties_.end() ? nullptr : it->second.c_str();
    }
    void add_references(uint32_t count) { references_.fetch_add(count, std::memory_order_relaxed); }
    void drop_references(uint32_t count) {
        if (references_.fetch_sub(count, std::memory_order_acq_rel) == count) delete this;
    }

  private:
    ~Metadata() = default;
    std::atomic<uint32_t> references_{1};
    Properties properties_;
};

class Message {
  public:
    static constexpr size_t inline_max = 40;

    enum Flag : uint8_t {
        more = 1,      // further frames of the same message follow
        command = 2,   // protocol command, never shown to the application
        shared = 4,    // the block may have other holders
        identity = 8,  // routing id frame that a link puts in front for ROUTER and REP
        subscribe = 16, // a SUBSCRIBE or CANCEL command between SUB and PUB, body without name
        cancel = 32,
        membership = 64, // with subscribe or cancel: JOIN or LEAVE between DISH and RADIO
        grouped = 128,   // from RADIO: goes out as group and body, also when the group is empty
    };

    Message() = default; // uninitialised on purpose, as zmq_msg_t is

    void init() {
        metadata_ = nullptr;
        group_ = nullptr;
        routing_id_ = 0;
        flags_ = 0;
        inline_size_ = 0;
        kind_ = Kind::in_place;
        unused_ = 0; // so that all of the last word goes out in one store
    }
    Error init_size(size_t size) {
        if (size > inline_max) return init_block(size);
        init_inline(size);
        return err::none;
    }
    Error init_copy(Bytes body);
    // Takes over the caller's memory; on failure the caller keeps it and `free_body` is not called.
    Error init_data(void *data, size_t size, FreeFunction *free_body, void *hint);
    void init_constant(const void *data, size_t size);

    // Gives the body back. The object is invalid until the next init.
    void close();
    // Gives the body back, and is inline from now on. REQUIRES: is_plain().
    void drop_body() {
        if (kind_ == Kind::in_place) return;
        release_body();
        kind_ = Kind::in_place;
        flags_ = 0;
    }
    // Overwrites body and flags of an inline message; 40 bytes are read whatever the size.
    // REQUIRES: no routing id.
    void set_inline_body(const uint8_t *body, size_t size) {
        std::memcpy(inline_, body, 16);
        if (size > 16) std::memcpy(inline_ + 16, body + 16, inline_max - 16);
        set_last_word(inline_word(size));
    }
    // Sets the size of an inline message; all 40 bytes behind the pointer may be written.
    // REQUIRES: no flags, no routing id.
    uint8_t *make_inline(size_t size) {
        set_last_word(inline_word(size));
        return inline_;
    }
    // What a message is left as whose body has been copied elsewhere. REQUIRES: is_bare().
    void empty_bare() { set_last_word(inline_word(0)); }
    // Whether its own block can hold a body of this size, just as well as a new one. If so, it does.
    // REQUIRES: is_plain().
    bool resize_block(size_t size) {
        if (kind_ != Kind::block || flags_ != 0 || size <= inline_max ||
            !BodyPool::is_for(sizeof(Block) + size, body_.block->size_class))
            return false;
        body_.data = reinterpret_cast<uint8_t *>(body_.block + 1);
        body_.size = size;
        return true;
    }
    bool is_valid() const { return kind_ >= Kind::in_place && kind_ <= Kind::constant; }

    // Only this part of the body stays, in place. REQUIRES: it lies in the body, and the body is
    // nobody else's.
    void narrow_to(Bytes part) {
        if (kind_ == Kind::in_place) {
            inline_size_ = static_cast<uint8_t>(part.size());
            std::memmove(inline_, part.data(), part.size());
        } else {
            body_.data += part.data() - body_.data;
            body_.size = part.size();
        }
    }

    // `this` is uninitialised memory; `from` becomes an empty valid message.
    void take(Message &from) {
        *this = from;
        from.init();
    }
    // `this` is uninitialised memory; both share the body afterwards.
    void share(Message &from);

    uint8_t *data();
    const uint8_t *data() const { return const_cast<Message *>(this)->data(); }
    size_t size() const { return kind_ == Kind::in_place ? inline_size_ : body_.size; }
    Bytes bytes() const { return {data(), size()}; }
    bool is_inline() const { return kind_ == Kind::in_place; }
    // A whole message with nothing attached but, perhaps, metadata.
    bool is_plain() const { return (flags_ & ~shared) == 0 && !group_ && routing_id_ == 0; }
    // The body and `more` say all there is to say about the frame.
    bool is_small() const {
        return is_inline() && (flags_ & ~more) == 0 && !metadata_ && !group_ && routing_id_ == 0;
    }
    // A frame with a block and no group fits into fewer bytes while it waits.
    bool is_packable() const { return kind_ == Kind::block && !group_; }
    static constexpr size_t packed_bytes = 40;
    // REQUIRES: is_packable(). Moves the frame: this object is to be initialised anew.
    void pack(uint8_t *out) const {
        std::memcpy(out, &body_, sizeof body_);
        std::memcpy(out + sizeof body_, &metadata_, sizeof metadata_);
        const uint64_t word = last_word();
        std::memcpy(out + sizeof body_ + sizeof metadata_, &word, sizeof word);
    }
    // `this` is uninitialised memory.
    void unpack(const uint8_t *in) {
        std::memcpy(&body_, in, sizeof body_);
        std::memcpy(&metadata_, in + sizeof body_, sizeof metadata_);
        group_ = nullptr;
        uint64_t word;
        std::memcpy(&word, in + sizeof body_ + sizeof metadata_, sizeof word);
        set_last_word(word);
    }
    // An inline body is all there is, but perhaps for metadata.
    bool is_inline_plain() const {
        return (last_word() & ~inline_size_mask) == inline_word(0) && !group_;
    }
    // An inline body is all there is.
    bool is_bare() const { return is_inline_plain() && !metadata_; }
    size_t inline_size() const { return inline_size_; }
    // The body is the application's, with a free function that will be called.
    bool is_users() const { return kind_ == Kind::user; }

    uint8_t flags() const { return flags_; }
    bool has(Flag flag) const { return (flags_ & flag) != 0; }
    void set(Flag flag) { flags_ = static_cast<uint8_t>(flags_ | flag); }
    void clear(Flag flag) { flags_ = static_cast<uint8_t>(flags_ & ~flag); }
    void set_flags(uint8_t flags) { flags_ = flags; }
    // ZMQ_SHARED: constant data, or a block that has ever been shared.
    bool is_shared() const { return kind_ == Kind::constant || (kind_ != Kind::in_place && has(shared)); }

    uint32_t routing_id() const { return routing_id_; }
    void set_routing_id(uint32_t id) { routing_id_ = id; }

    const Metadata *metadata() const { return metadata_; }
    // Adds a reference; null clears.
    void set_metadata(Metadata *metadata);
    // The message has none afterwards; its reference is the caller's.
    Metadata *release_metadata() { return std::exchange(metadata_, nullptr); }
    void swap_metadata(Message &other) { std::swap(metadata_, other.metadata_); }
    // Takes over one of the caller's references. REQUIRES: the message has no metadata.
    void adopt_metadata(Metadata *metadata) { metadata_ = metadata; }

    // Group of a RADIO/DISH message, "" when unset. Text is NUL-terminated.
    const char *group() const;
    Error set_group(std::string_view group);

  private:
    enum class Kind : uint8_t { in_place = 101, block = 102, user = 103, constant = 104 };
    // Its size keeps the body behind it on a border of 16 bytes.
    struct alignas(16) Block {
        std::atomic<uint32_t> references;
        BodyPool::SizeClass size_class;
    };
    struct UsersBlock; // without a body: how to give the user's back
    struct Group;

    void init_inline(size_t size) {
        metadata_ = nullptr;
        group_ = nullptr;
        set_last_word(inline_word(size));
#if defined(__GNUC__)
        if (kind_ != Kind::in_place) __builtin_unreachable(); // as the word says
#endif
    }
    Error init_block(size_t size);
    void release();
    void release_body();

    struct Body {
        Block *block;
        uint8_t *data;
        size_t size;
    };
    union {
        Body body_;
        // First, so that a fixed-width copy of an inline body stays inside the object.
        uint8_t inline_[inline_max];
    };
    Metadata *metadata_;
    Group *group_;
    // The last word of eight bytes. Written and compared as a whole where a message is small: what
    // was stored by the byte and is loaded as a word at once has to wait for the cache.
    uint32_t routing_id_;
    uint8_t flags_;
    uint8_t inline_size_;
    Kind kind_;
    [[maybe_unused]] uint8_t unused_;

    static constexpr size_t last_word_at = 56;
    static constexpr unsigned size_shift = is_little_endian ? 40 : 16;
    static constexpr unsigned kind_shift = is_little_endian ? 48 : 8;
    static constexpr uint64_t inline_size_mask = uint64_t(0xff) << size_shift;
    static uint64_t inline_word(size_t size) {
        return uint64_t(size) << size_shift | uint64_t(Kind::in_place) << kind_shift;
    }
    uint64_t last_word() const {
        uint64_t word;
        std::memcpy(&word, reinterpret_cast<const uint8_t *>(this) + last_word_at, sizeof word);
        return word;
    }
    void set_last_word(uint64_t word) {
        std::memcpy(reinterpret_cast<uint8_t *>(this) + last_word_at, &word, sizeof word);
    }
};

static_assert(sizeof(Message) == 64, "zmq_msg_t is 64 bytes");

inline uint8_t *Message::data() { return kind_ == Kind::in_place ? inline_ : body_.data; }

inline void Message::close() {
    if (kind_ != Kind::in_place || metadata_ || group_) release();
    kind_ = Kind{};
}

// A Message that closes itself. Movable, always valid.
class OwnMessage {
  public:
    OwnMessage() { message_.init(); }
    OwnMessage(OwnMessage &&other) noexcept { message_.take(other.message_); }
    OwnMessage &operator=(OwnMessage &&other) noexcept {
        if (this != &other) {
            message_.close();
            message_.take(other.message_);
        }
        return *this;
    }
    ~OwnMessage() { message_.close(); }
    Message &operator*() { return message_; }
    Message *operator->() { return &message_; }
    const Message &operator*() const { return message_; }
    const Message *operator->() const { return &message_; }

  private:
    Message message_;
};

} // namespace tern

#endif
