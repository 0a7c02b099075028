// options: zmq_setsockopt and zmq_getsockopt through the table, any number, size and bytes, and the
// options that a pattern keeps. What was taken reads back, what was refused has changed nothing,
// and nothing is written beyond what the caller has room for.
#include "support/fuzz.hpp"

#include "pattern/pattern.hpp"
#include "socket/options.hpp"

#include <type_traits>
#include <zmq.h>

namespace tern::fuzz {

namespace {

constexpr int numbers_end = 130;
constexpr size_t value_max = 512;

struct Got {
    int error = 0;
    Buffer value; // what was written: `size` bytes, and zeros behind
    size_t size = 0;

    friend bool operator==(const Got &a, const Got &b) {
        return a.error == b.error && a.value == b.value && a.size == b.size;
    }
};

Got get(const Options &options, int type, int number, size_t room) {
    Got got;
    got.value.assign(room, 0xa5);
    got.size = room;
    got.error = get_option(options, type, number, got.value.data(), &got.size).number();
    if (got.error != 0) {
        FUZZ_CHECK(got.size == room && got.value == Buffer(room, 0xa5));
    } else {
        FUZZ_CHECK(got.size <= room);
        for (size_t i = got.size; i < room; ++i) FUZZ_CHECK(got.value[i] == 0);
    }
    return got;
}

const std::vector<const OptionRow *> &rows_with_slots() {
    static const std::vector<const OptionRow *> all = [] {
        std::vector<const OptionRow *> rows;
        for (int number = 0; number < numbers_end; ++number)
            if (const OptionRow *row = find_option(number); row && row->slot) rows.push_back(row);
        return rows;
    }();
    return all;
}

// Every stored value, by way of the rows: what must not change when a value is refused. Rows that
// list filters or metadata have no slot; their lengths stand for them.
std::string snapshot(const Options &options) {
    std::string all;
    all.reserve(1024);
    const auto put = [&](const void *data, size_t size) {
        all.append(static_cast<const char *>(data), size);
    };
    for (const OptionRow *row : rows_with_slots()) {
        std::visit(
            [&](auto slot) {
                using Slot = decltype(slot);
                if constexpr (std::is_same_v<Slot, std::string *>)
                    all += *slot + '\n';
                else if constexpr (!std::is_same_v<Slot, std::monostate>)
                    put(slot, sizeof *slot);
            },
            row->slot(const_cast<Options &>(options)));
    }
    const LinkOptions &link = options.link;
    for (const size_t count :
         {link.metadata.size(), link.transport.tcp_accept_filters.size(),
          link.transport.ipc_uid_filters.size(), link.transport.ipc_gid_filters.size(),
          link.transport.ipc_pid_filters.size()})
        put(&count, sizeof count);
    for (const int value : {link.security.mechanism, int(link.security.as_server), int(link.raw),
                            link.heartbeat_ttl_deciseconds})
        put(&value, sizeof value);
    return all;
}

void check_taken(const Options &options, int type, const OptionRow &row, const Buffer &value,
                 bool is_null) {
    if (check_readable(row, type) || row.home == OptionRow::Home::pattern) return;
    switch (row.value) {
    case OptionRow::Value::integer: {
        const Got got = get(options, type, row.number, sizeof(int));
        FUZZ_CHECK(got.error == 0 && got.size == sizeof(int));
        const int set = load_int(value.data(), value.size());
        const int read = load_int(got.value.data(), got.size);
        FUZZ_CHECK(read == set || read == (set != 0) || row.set); // as a number, or as a flag
        return;
    }
    case OptionRow::Value::unsigned64:
    case OptionRow::Value::signed64:
        FUZZ_CHECK(get(options, type, row.number, sizeof(int64_t)).value == value);
        return;
    case OptionRow::Value::binary:
    case OptionRow::Value::text: {
        if (row.set && is_null) return;
        const size_t nul = row.value == OptionRow::Value::text ? 1 : 0;
        const Got got = get(options, type, row.number, value.size() + nul);
        FUZZ_CHECK(got.error == 0 && got.size == value.size() + nul);
        Buffer wanted = value;
        wanted.resize(got.size);
        FUZZ_CHECK(got.value == wanted);
        FUZZ_CHECK(got.size == 0 || get(options, type, row.number, got.size - 1).error == EINVAL);
        return;
    }
    case OptionRow::Value::key: {
        const Got raw = get(options, type, row.number, 32);
        FUZZ_CHECK(raw.error == 0);
        if (value.size() == 32) FUZZ_CHECK(raw.value == value);
        const Got z85 = get(options, type, row.number, 41);
        FUZZ_CHECK(z85.error == 0 && z85.value.back() == 0);
        if (value.size() >= 40) FUZZ_CHECK(view(z85.value).first(40) == view(value).first(40));
        // The text sets the same key.
        Options other = options;
        FUZZ_CHECK(!set_option(other, type, row.number, z85.value.data(), z85.value.size()));
        FUZZ_CHECK(get(other, type, row.number, 32) == raw);
        return;
    }
    case OptionRow::Value::loose_integer:
        return;
    }
}

// Who asks, and who must be asked.
void check_zap(const SecurityOptions &security) {
    const bool has_domain = !security.zap_domain.empty();
    const bool is_plain = security.mechanism == mechanism_id::plain;
    FUZZ_CHECK(!refuses_everybody(security) || (needs_zap_handler(security) && asks_zap(security)));
    FUZZ_CHECK(refuses_everybody(security) ==
               (is_plain && security.as_server && security.zap_enforce_domain && !has_domain));
    FUZZ_CHECK(needs_zap_handler(security) == (is_plain || security.zap_enforce_domain));
    FUZZ_CHECK(asks_zap(security) || !has_domain);
    if (security.mechanism == mechanism_id::null) FUZZ_CHECK(asks_zap(security) == has_domain);
}

class Host final : public PatternHost {
    void pipe_drained(Pipe &) override {}
    void pipe_refused(Pipe &) override {}
    void pipe_unheard(Pipe &) override {}
    void pipe_unwanted(Pipe &) override {}
};

} // namespace

void run(Input input) {
    const int type = input.byte() % 24;
    ContextOptions context;
    Options options = Options::defaults(type, context);
    Host host;
    const auto pattern = make_pattern(type, host, 1);

    std::string before = snapshot(options);
    for (int left = 32; left > 0 && !input.is_empty(); --left) {
        const uint8_t operation = input.byte();
        const int number = operation & 0x40 ? int(input.long_number()) : input.byte() % numbers_end;
        if (operation & 1) {
            (void)get(options, type, number, input.number() % value_max);
            size_t size = input.byte() % 2; // a null pointer
            const size_t before = size;
            if (get_option(options, type, number, nullptr, &size)) FUZZ_CHECK(size == before);
            continue;
        }
        const bool is_null = operation & 2;
        const Buffer value = exact(input.large_chunk().first(value_max));
        const size_t size = is_null && !(operation & 4) ? 0 : value.size();
        const void *data = is_null         ? nullptr
                           : value.empty() ? ""
                                           : static_cast<const void *>(value.data());
        const OptionRow *row = find_option(number);
        FUZZ_CHECK(!row || row->number == number);
        const Error checked = row ? check_option(*row, type, data, size) : err::invalid;
        const Error error = set_option(options, type, number, data, size);
        FUZZ_CHECK(!checked || error == checked);
        if (error) {
            FUZZ_CHECK(error == err::invalid && snapshot(options) == before);
            continue;
        }
        before = snapshot(options);
        check_zap(options.link.security);
        check_taken(options, type, *row, is_null ? Buffer() : value, is_null);
        if (row->home == OptionRow::Home::pattern && pattern)
            (void)pattern->set_option(number, data, size);
    }
}

} // namespace tern::fuzz
