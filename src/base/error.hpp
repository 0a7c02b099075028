// Error: every way a call can fail inside the library, and its errno for the C API.
// Threads: values only.
#ifndef TERN_BASE_ERROR_HPP
#define TERN_BASE_ERROR_HPP

#include <cerrno>
#include <utility>

namespace tern {

// Numbers that libzmq adds to errno.h (spec/api/functions.md section 1).
enum : int {
    errno_base = 156384712,
    errno_fsm = errno_base + 51,
    errno_no_compatible_protocol = errno_base + 52,
    errno_terminated = errno_base + 53,
    errno_no_io_thread = errno_base + 54,
};

// An errno value as a type of its own, so that a failure can not be mistaken for a count.
// Zero means success.
class [[nodiscard]] Error {
  public:
    constexpr Error() = default;
    constexpr explicit Error(int number) : number_(number) {}
    constexpr int number() const { return number_; }
    constexpr explicit operator bool() const { return number_ != 0; }
    friend constexpr bool operator==(Error a, Error b) { return a.number_ == b.number_; }
    friend constexpr bool operator!=(Error a, Error b) { return a.number_ != b.number_; }

  private:
    int number_ = 0;
};

namespace err {
inline constexpr Error none{};
inline constexpr Error again{EAGAIN};
inline constexpr Error interrupted{EINTR};
inline constexpr Error invalid{EINVAL};
inline constexpr Error fault{EFAULT};
inline constexpr Error no_memory{ENOMEM};
inline constexpr Error not_a_socket{ENOTSOCK};
inline constexpr Error not_supported{ENOTSUP};
inline constexpr Error host_unreachable{EHOSTUNREACH};
inline constexpr Error address_in_use{EADDRINUSE};
inline constexpr Error protocol_not_supported{EPROTONOSUPPORT};
inline constexpr Error name_too_long{ENAMETOOLONG};
inline constexpr Error no_entry{ENOENT};
inline constexpr Error no_device{ENODEV};
inline constexpr Error too_many_files{EMFILE};
inline constexpr Error protocol{EPROTO};
inline constexpr Error message_too_big{EMSGSIZE};
inline constexpr Error broken_pipe{EPIPE};
inline constexpr Error wrong_state{errno_fsm};
inline constexpr Error incompatible{errno_no_compatible_protocol};
inline constexpr Error terminated{errno_terminated};
inline constexpr Error no_io_thread{errno_no_io_thread};
} // namespace err

// A value, or the reason why there is none.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(error) {}
    explicit operator bool() const { return !error_; }
    Error error() const { return error_; }
    T &operator*() { return value_; }
    const T &operator*() const { return value_; }
    T *operator->() { return &value_; }
    const T *operator->() const { return &value_; }

  private:
    T value_{};
    Error error_{};
};

} // namespace tern

#endif
