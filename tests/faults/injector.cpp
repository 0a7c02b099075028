#include "injector.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <link.h>
#include <net/if.h>
#include <netdb.h>
#include <new>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

namespace {

// Every function whose calls can fail, with the errnos of its manual page and one that no page has.
// f(id, name in the library's imports, kinds ...)
#define FAULT_FUNCTIONS(f)                                                                                  \
    f(socket, "socket", EMFILE, ENFILE, EACCES, ENOBUFS, ENOMEM, EAFNOSUPPORT, ENOANO)                      \
    f(bind, "bind", EADDRINUSE, EACCES, EADDRNOTAVAIL, EINVAL, ENOMEM, ENOANO)                              \
    f(listen, "listen", EADDRINUSE, EOPNOTSUPP, ENOANO)                                                     \
    f(accept4, "accept4", EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EPERM, EAGAIN, EPROTO, ENOANO) \
    f(connect, "connect", ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EADDRNOTAVAIL, EAGAIN, EINTR, EPERM, ENOANO)   \
    f(getsockopt, "getsockopt", ENOBUFS, ENOPROTOOPT, ENOANO)                                               \
    f(setsockopt, "setsockopt", EINVAL, ENOPROTOOPT, EPERM, ENOMEM, ENOANO)                                 \
    f(getsockname, "getsockname", ENOBUFS, ENOANO)                                                          \
    f(getpeername, "getpeername", ENOTCONN, ENOBUFS, ENOANO)                                                \
    f(send, "send", EAGAIN, EINTR, ECONNRESET, EPIPE, ENOBUFS, ENOMEM, ENOANO, FAULT_SHORT)                 \
    f(sendmsg, "sendmsg", EAGAIN, EINTR, ECONNRESET, EPIPE, ENOBUFS, ENOMEM, ENOANO, FAULT_SHORT)           \
    f(sendto, "sendto", EAGAIN, EINTR, EPERM, ENETUNREACH, ENOBUFS, ECONNREFUSED, ENOANO)                   \
    f(write, "write", EAGAIN, EINTR, EIO, ENOANO)                                                           \
    f(recv, "recv", EINTR, ECONNRESET, ETIMEDOUT, ENOMEM, ENOANO, FAULT_END, FAULT_SHORT)                 \
    f(recvmsg, "recvmsg", EINTR, ECONNRESET, ETIMEDOUT, ENOMEM, ENOANO, FAULT_END, FAULT_SHORT)           \
    f(recvfrom, "recvfrom", EINTR, ECONNREFUSED, ENOMEM, ENOANO)                                    \
    f(read, "read", EAGAIN, EINTR, EIO, ENOANO)                                                             \
    f(shutdown, "shutdown", ENOTCONN, ENOANO)                                                               \
    f(close, "close", EINTR, EIO)                                                                           \
    f(epoll_create1, "epoll_create1", EMFILE, ENFILE, ENOMEM, ENOANO)                                       \
    f(epoll_ctl, "epoll_ctl", ENOMEM, ENOSPC, EPERM, ENOANO)                                                \
    f(epoll_wait, "epoll_wait", EINTR, EINVAL, ENOANO)                                                      \
    f(epoll_pwait2, "syscall:epoll_pwait2", EINTR, ENOSYS, EPERM, ENOANO)                                   \
    f(poll, "poll", EINTR, ENOMEM, EINVAL, ENOANO)                                                          \
    f(ppoll, "ppoll", EINTR, ENOMEM, EINVAL, ENOANO)                                                        \
    f(eventfd, "eventfd", EMFILE, ENFILE, ENOMEM, ENODEV, ENOANO)                                           \
    f(fcntl, "fcntl", EINVAL, EPERM, ENOANO)                                                                \
    f(futex, "syscall:futex", EINTR, EAGAIN, ENOANO)                                                        \
    f(membarrier, "syscall:membarrier", ENOSYS, EPERM, ENOANO)                                              \
    f(getaddrinfo, "getaddrinfo", EAI_AGAIN, EAI_NONAME, EAI_FAIL, EAI_MEMORY, EAI_SYSTEM)                  \
    f(getnameinfo, "getnameinfo", EAI_AGAIN, EAI_MEMORY, EAI_OVERFLOW, EAI_SYSTEM)                          \
    f(getifaddrs, "getifaddrs", ENOMEM, ENOBUFS, ENOANO)                                                    \
    f(if_nametoindex, "if_nametoindex", ENODEV, ENOANO)                                                     \
    f(unlink, "unlink", ENOENT, EACCES, ENOANO)                                                             \
    f(rmdir, "rmdir", ENOTEMPTY, EACCES, ENOANO)                                                            \
    f(stat, "stat", ENOENT, EACCES, ENOANO)                                                                 \
    f(mkdtemp, "mkdtemp", EACCES, ENOSPC, ENOANO)                                                           \
    f(pthread_create, "pthread_create", EAGAIN, EPERM, ENOMEM, ENOANO)                                      \
    f(pthread_setname_np, "pthread_setname_np", ERANGE, ENOANO)                                             \
    f(pthread_setaffinity_np, "pthread_setaffinity_np", EINVAL, ENOANO)                                     \
    f(pthread_setschedparam, "pthread_setschedparam", EPERM, ENOANO)                                        \
    f(pthread_sigmask, "pthread_sigmask", EINVAL)                                                           \
    f(pthread_setspecific, "pthread_setspecific", ENOMEM)                                                   \
    f(pthread_key_create, "pthread_key_create", EAGAIN, ENOMEM)                                             \
    f(sched_getaffinity, "sched_getaffinity", EINVAL, ENOANO)                                               \
    f(prctl, "prctl", EINVAL, ENOANO)                                                                       \
    f(getrandom, "getrandom", EINTR, EAGAIN, ENOSYS, FAULT_SHORT)                                           \
    f(clock_gettime, "clock_gettime", EINVAL, FAULT_CLOCK_FORWARD, FAULT_CLOCK_BACK)                        \
    f(mmap, "mmap", ENOMEM, ENOANO)                                                                         \
    f(malloc, "malloc", ENOMEM)                                                                             \
    f(calloc, "calloc", ENOMEM)                                                                             \
    f(realloc, "realloc", ENOMEM)                                                                           \
    f(posix_memalign, "posix_memalign", ENOMEM)                                                             \
    f(new_, "_Znwm", ENOMEM)                                                                                \
    f(new_array, "_Znam", ENOMEM)                                                                           \
    f(new_nothrow, "_ZnwmRKSt9nothrow_t", ENOMEM)                                                           \
    f(new_array_nothrow, "_ZnamRKSt9nothrow_t", ENOMEM)                                                     \
    f(new_aligned, "_ZnwmSt11align_val_t", ENOMEM)                                                          \
    f(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t", ENOMEM)                                    \
    f(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t", ENOMEM)

enum Function : uint32_t {
#define AS_ENUM(id, name, ...) f_##id,
    FAULT_FUNCTIONS(AS_ENUM) functions_count
#undef AS_ENUM
};

const char *const names[] = {
#define AS_NAME(id, name, ...) #id,
    FAULT_FUNCTIONS(AS_NAME)
#undef AS_NAME
};

const int kinds[][KINDS_MAX] = {
#define AS_KINDS(id, name, ...) {__VA_ARGS__, 0},
    FAULT_FUNCTIONS(AS_KINDS)
#undef AS_KINDS
};

injector_state *state;
std::atomic<bool> is_armed{false};
std::atomic<int64_t> clock_shift{0};
uintptr_t library_begin, library_end;
std::atomic_flag sites_lock = ATOMIC_FLAG_INIT;

// ---- where a call comes from

struct Trace {
    uint32_t frames[FRAMES_MAX] = {};
    int count = 0;
    int depth = 0;
};

_Unwind_Reason_Code take_frame(_Unwind_Context *context, void *argument) {
    auto &trace = *static_cast<Trace *>(argument);
    const uintptr_t at = _Unwind_GetIP(context);
    if (at >= library_begin && at < library_end)
        trace.frames[trace.count++] = uint32_t(at - library_begin);
    else if (trace.count > 0 && trace.count < FRAMES_MAX)
        trace.count = FRAMES_MAX; // out of the library again: the rest is no business of the site
    return trace.count >= FRAMES_MAX || ++trace.depth > 24 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

uint32_t mixed(uint32_t a, uint32_t b) {
    uint64_t x = (uint64_t(a) << 32 | b) * 0x9e3779b97f4a7c15u;
    x ^= x >> 31;
    return uint32_t(x * 0xbf58476d1ce4e5b9u >> 32);
}

thread_local bool is_inside = false;

// What is to go wrong with this call of `function`; 0: nothing.
int fault_of(Function function) {
    if (!is_armed.load(std::memory_order_relaxed) || is_inside) return 0;
    is_inside = true;
    const int saved = errno;
    Trace trace;
    (void)_Unwind_Backtrace(take_frame, &trace);
    int kind = 0;
    uint32_t hash = function;
    for (uint32_t frame : trace.frames) hash = mixed(hash, frame);
    while (sites_lock.test_and_set(std::memory_order_acquire)) {
    }
    site *found = nullptr;
    for (uint32_t i = 0; i < state->sites && !found; ++i)
        if (state->site[i].hash == hash && state->site[i].function == function) found = &state->site[i];
    if (!found && trace.frames[0] && state->sites < SITES_MAX) {
        found = &state->site[state->sites++];
        *found = {function, hash, 0, {}};
        std::copy(trace.frames, trace.frames + FRAMES_MAX, found->frames);
    }
    if (found) {
        const uint32_t n = ++found->calls;
        const fault &plan = state->fault;
        if (plan.nth == 0 && plan.per_mille != 0) {
            if (mixed(plan.seed, mixed(hash, n)) % 1000 < plan.per_mille) {
                int count = 0;
                while (kinds[function][count]) ++count;
                kind = kinds[function][mixed(plan.seed + 1, mixed(hash, n)) % uint32_t(count)];
                if (kind == FAULT_CLOCK_FORWARD || kind == FAULT_CLOCK_BACK || kind == FAULT_END) kind = 0;
            }
        } else if (plan.function == function && plan.hash == hash && n >= plan.nth &&
                   n < plan.nth + plan.times) {
            kind = plan.kind;
        }
        if (kind) ++state->fired;
    }
    sites_lock.clear(std::memory_order_release);
    errno = saved;
    is_inside = false;
    return kind;
}

int planted(int kind) {
    if (!kind) return 0;
    switch (state->plant) {
    case PLANT_ABORT: std::abort();
    case PLANT_HANG:
        for (;;) ::sleep(100);
    case PLANT_CRASH: *static_cast<volatile int *>(nullptr) = 1; break;
    case PLANT_LEAK_FD: (void)!::dup(2); break;
    case PLANT_LEAK_MEMORY: {
        void *volatile lost = std::malloc(10000);
        if (lost) lost = nullptr;
        state->blocks += 100;
        break;
    }
    default: break;
    }
    return kind;
}

// ---- who watches what, so that a short read can be what it is in life: the rest of the bytes comes a moment later, as news

constexpr int watched_max = 1024;
constexpr int sets_max = 4; // that watch one descriptor
struct Watch {
    int set = -1;
    epoll_event event{};
};
Watch watches[watched_max][sets_max];
std::atomic_flag watches_lock = ATOMIC_FLAG_INIT;

class WatchesGuard {
  public:
    WatchesGuard() {
        while (watches_lock.test_and_set(std::memory_order_acquire)) {
        }
    }
    ~WatchesGuard() { watches_lock.clear(std::memory_order_release); }
};

void note_watch(int set, int what, int fd, const epoll_event *event) {
    if (fd < 0 || fd >= watched_max) return;
    const WatchesGuard guard;
    for (Watch &watch : watches[fd]) {
        if (watch.set != set && !(watch.set == -1 && what != EPOLL_CTL_DEL)) continue;
        if (what == EPOLL_CTL_DEL) watch = {};
        else watch = {set, *event};
        return;
    }
}

// Of a descriptor that is closed, which may be a set itself.
void forget_watches(int fd) {
    const WatchesGuard guard;
    for (int each = 0; each < watched_max; ++each)
        for (Watch &watch : watches[each])
            if (watch.set != -1 && (each == fd || watch.set == fd)) watch = {};
}

void report_again(int fd) {
    if (fd < 0 || fd >= watched_max) return;
    const int saved = errno;
    {
        const WatchesGuard guard;
        for (Watch &watch : watches[fd])
            if (watch.set != -1) (void)::epoll_ctl(watch.set, EPOLL_CTL_MOD, fd, &watch.event);
    }
    errno = saved;
}

// ---- the functions in their places

#define FAIL(function, result)                                  \
    if (const int kind = planted(fault_of(function))) {         \
        errno = kind;                                           \
        return result;                                          \
    }

bool is_stream(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int my_socket(int a, int b, int c) { FAIL(f_socket, -1) return ::socket(a, b, c); }
int my_bind(int fd, const sockaddr *a, socklen_t n) { FAIL(f_bind, -1) return ::bind(fd, a, n); }
int my_listen(int fd, int n) { FAIL(f_listen, -1) return ::listen(fd, n); }
int my_accept4(int fd, sockaddr *a, socklen_t *n, int flags) {
    FAIL(f_accept4, -1) return ::accept4(fd, a, n, flags);
}
int my_connect(int fd, const sockaddr *a, socklen_t n) { FAIL(f_connect, -1) return ::connect(fd, a, n); }
int my_getsockopt(int fd, int l, int o, void *v, socklen_t *n) {
    FAIL(f_getsockopt, -1) return ::getsockopt(fd, l, o, v, n);
}
int my_setsockopt(int fd, int l, int o, const void *v, socklen_t n) {
    FAIL(f_setsockopt, -1) return ::setsockopt(fd, l, o, v, n);
}
int my_getsockname(int fd, sockaddr *a, socklen_t *n) { FAIL(f_getsockname, -1) return ::getsockname(fd, a, n); }
int my_getpeername(int fd, sockaddr *a, socklen_t *n) { FAIL(f_getpeername, -1) return ::getpeername(fd, a, n); }
ssize_t my_send(int fd, const void *data, size_t size, int flags) {
    if (const int kind = planted(fault_of(f_send))) {
        if (state->plant == PLANT_LOSE) return ssize_t(size);
        if (kind == FAULT_SHORT) return ::send(fd, data, is_stream(fd) ? std::min<size_t>(size, 1) : size, flags);
        errno = kind;
        return -1;
    }
    return ::send(fd, data, size, flags);
}
ssize_t my_sendmsg(int fd, const msghdr *message, int flags) {
    if (const int kind = planted(fault_of(f_sendmsg))) {
        if (state->plant == PLANT_LOSE) {
            size_t size = 0;
            for (size_t i = 0; i < message->msg_iovlen; ++i) size += message->msg_iov[i].iov_len;
            return ssize_t(size);
        }
        if (kind == FAULT_SHORT) {
            if (!is_stream(fd)) return ::sendmsg(fd, message, flags);
            return ::send(fd, message->msg_iov[0].iov_base, std::min<size_t>(message->msg_iov[0].iov_len, 1), flags);
        }
        errno = kind;
        return -1;
    }
    return ::sendmsg(fd, message, flags);
}
ssize_t my_sendto(int fd, const void *data, size_t size, int flags, const sockaddr *to, socklen_t n) {
    FAIL(f_sendto, -1) return ::sendto(fd, data, size, flags, to, n);
}
ssize_t my_write(int fd, const void *data, size_t size) { FAIL(f_write, -1) return ::write(fd, data, size); }
ssize_t read_short(int fd, void *data, size_t size, int flags) {
    const ssize_t count = ::recv(fd, data, is_stream(fd) ? std::min<size_t>(size, 1) : size, flags);
    if (count > 0) report_again(fd);
    return count;
}
ssize_t my_recv(int fd, void *data, size_t size, int flags) {
    if (const int kind = planted(fault_of(f_recv))) {
        if (kind == FAULT_END) return 0;
        if (kind == FAULT_SHORT) return read_short(fd, data, size, flags);
        errno = kind;
        return -1;
    }
    return ::recv(fd, data, size, flags);
}
ssize_t my_recvmsg(int fd, msghdr *message, int flags) {
    if (const int kind = planted(fault_of(f_recvmsg))) {
        if (kind == FAULT_END) return 0;
        if (kind == FAULT_SHORT && is_stream(fd))
            return read_short(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags);
        if (kind == FAULT_SHORT) return ::recvmsg(fd, message, flags);
        errno = kind;
        return -1;
    }
    return ::recvmsg(fd, message, flags);
}
ssize_t my_recvfrom(int fd, void *data, size_t size, int flags, sockaddr *from, socklen_t *n) {
    FAIL(f_recvfrom, -1) return ::recvfrom(fd, data, size, flags, from, n);
}
ssize_t my_read(int fd, void *data, size_t size) { FAIL(f_read, -1) return ::read(fd, data, size); }
int my_shutdown(int fd, int how) { FAIL(f_shutdown, -1) return ::shutdown(fd, how); }
int my_close(int fd) {
    const int kind = planted(fault_of(f_close));
    forget_watches(fd);
    const int result = ::close(fd); // Linux has closed it whatever it says
    if (!kind) return result;
    errno = kind;
    return -1;
}
int my_epoll_create1(int flags) { FAIL(f_epoll_create1, -1) return ::epoll_create1(flags); }
int my_epoll_ctl(int set, int what, int fd, epoll_event *event) {
    FAIL(f_epoll_ctl, -1)
    const int result = ::epoll_ctl(set, what, fd, event);
    if (result == 0) note_watch(set, what, fd, event);
    return result;
}
int my_epoll_wait(int set, epoll_event *events, int n, int timeout) {
    FAIL(f_epoll_wait, -1) return ::epoll_wait(set, events, n, timeout);
}
int my_poll(pollfd *items, nfds_t n, int timeout) { FAIL(f_poll, -1) return ::poll(items, n, timeout); }
int my_ppoll(pollfd *items, nfds_t n, const timespec *limit, const sigset_t *mask) {
    FAIL(f_ppoll, -1) return ::ppoll(items, n, limit, mask);
}
int my_eventfd(unsigned n, int flags) { FAIL(f_eventfd, -1) return ::eventfd(n, flags); }
int my_fcntl(int fd, int what, long argument) { FAIL(f_fcntl, -1) return ::fcntl(fd, what, argument); }
long my_syscall(long number, long a, long b, long c, long d, long e, long f) {
    if (number == SYS_futex) { FAIL(f_futex, -1) }
    if (number == SYS_membarrier) { FAIL(f_membarrier, -1) }
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2) { FAIL(f_epoll_pwait2, -1) }
#endif
    return ::syscall(number, a, b, c, d, e, f);
}
int my_getaddrinfo(const char *node, const char *service, const addrinfo *hints, addrinfo **result) {
    if (const int kind = planted(fault_of(f_getaddrinfo))) {
        errno = ENOANO; // for EAI_SYSTEM
        return kind;
    }
    return ::getaddrinfo(node, service, hints, result);
}
int my_getnameinfo(const sockaddr *a, socklen_t n, char *host, socklen_t hosts, char *service, socklen_t services, int flags) {
    if (const int kind = planted(fault_of(f_getnameinfo))) {
        errno = ENOANO;
        return kind;
    }
    return ::getnameinfo(a, n, host, hosts, service, services, flags);
}
int my_getifaddrs(ifaddrs **list) { FAIL(f_getifaddrs, -1) return ::getifaddrs(list); }
unsigned my_if_nametoindex(const char *name) { FAIL(f_if_nametoindex, 0) return ::if_nametoindex(name); }
int my_unlink(const char *path) { FAIL(f_unlink, -1) return ::unlink(path); }
int my_rmdir(const char *path) { FAIL(f_rmdir, -1) return ::rmdir(path); }
int my_stat(const char *path, struct stat *out) { FAIL(f_stat, -1) return ::stat(path, out); }
char *my_mkdtemp(char *path) { FAIL(f_mkdtemp, nullptr) return ::mkdtemp(path); }

#define FAIL_BY_RESULT(function) \
    if (const int kind = planted(fault_of(function))) return kind;

int my_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
    FAIL_BY_RESULT(f_pthread_create) return ::pthread_create(thread, attributes, run, argument);
}
int my_pthread_setname_np(pthread_t thread, const char *name) {
    FAIL_BY_RESULT(f_pthread_setname_np) return ::pthread_setname_np(thread, name);
}
int my_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *cpus) {
    FAIL_BY_RESULT(f_pthread_setaffinity_np) return ::pthread_setaffinity_np(thread, size, cpus);
}
int my_pthread_setschedparam(pthread_t thread, int policy, const sched_param *parameters) {
    FAIL_BY_RESULT(f_pthread_setschedparam) return ::pthread_setschedparam(thread, policy, parameters);
}
int my_pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    FAIL_BY_RESULT(f_pthread_sigmask) return ::pthread_sigmask(how, set, old);
}
int my_pthread_setspecific(pthread_key_t key, const void *value) {
    FAIL_BY_RESULT(f_pthread_setspecific) return ::pthread_setspecific(key, value);
}
int my_pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) {
    FAIL_BY_RESULT(f_pthread_key_create) return ::pthread_key_create(key, destroy);
}
int my_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *cpus) {
    FAIL(f_sched_getaffinity, -1) return ::sched_getaffinity(pid, size, cpus);
}
int my_prctl(int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    FAIL(f_prctl, -1) return ::prctl(what, a, b, c, d);
}
ssize_t my_getrandom(void *data, size_t size, unsigned flags) {
    if (const int kind = planted(fault_of(f_getrandom))) {
        if (kind == FAULT_SHORT) return ::getrandom(data, std::min<size_t>(size, 1), flags);
        errno = kind;
        return -1;
    }
    return ::getrandom(data, size, flags);
}
int my_clock_gettime(clockid_t id, timespec *time) {
    if (const int kind = planted(fault_of(f_clock_gettime))) {
        if (kind == FAULT_CLOCK_FORWARD) clock_shift += int64_t(3600) * 1000000000;
        else if (kind == FAULT_CLOCK_BACK) clock_shift -= 20000000;
        else {
            errno = kind;
            return -1;
        }
    }
    const int result = ::clock_gettime(id, time);
    const int64_t at = int64_t(time->tv_sec) * 1000000000 + time->tv_nsec + clock_shift.load();
    time->tv_sec = at / 1000000000;
    time->tv_nsec = at % 1000000000;
    return result;
}
void *my_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    FAIL(f_mmap, MAP_FAILED) return ::mmap(at, size, protection, flags, fd, offset);
}

// Memory. What the library takes and does not give back is counted.
void *counted(void *block) {
    if (block && is_armed.load(std::memory_order_relaxed))
        __atomic_add_fetch(&state->blocks, 1, __ATOMIC_RELAXED);
    return block;
}
void my_free(void *block) {
    if (block && is_armed.load(std::memory_order_relaxed))
        __atomic_sub_fetch(&state->blocks, 1, __ATOMIC_RELAXED);
    std::free(block);
}
void *my_malloc(size_t size) { FAIL(f_malloc, nullptr) return counted(std::malloc(size)); }
void *my_calloc(size_t count, size_t size) { FAIL(f_calloc, nullptr) return counted(std::calloc(count, size)); }
void *my_realloc(void *old, size_t size) { FAIL(f_realloc, nullptr) return std::realloc(old, size); }
int my_posix_memalign(void **out, size_t alignment, size_t size) {
    FAIL_BY_RESULT(f_posix_memalign)
    const int result = ::posix_memalign(out, alignment, size);
    if (result == 0) (void)counted(*out);
    return result;
}

// As operator new does it: who has set a handler is asked, and it is tried again.
void pass_new_handler() {
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
}
bool is_refused(Function function) { return planted(fault_of(function)) != 0; }
template <class Take>
void *take_or_throw(Function function, Take take) {
    while (is_refused(function)) pass_new_handler();
    return counted(take());
}
template <class Take>
void *take_or_null(Function function, Take take) {
    try {
        return take_or_throw(function, take);
    } catch (...) {
        return nullptr;
    }
}
void *my_new(size_t size) {
    return take_or_throw(f_new_, [=] { return ::operator new(size); });
}
void *my_new_array(size_t size) {
    return take_or_throw(f_new_array, [=] { return ::operator new[](size); });
}
void *my_new_nothrow(size_t size, const std::nothrow_t &) {
    return take_or_null(f_new_nothrow, [=] { return ::operator new(size); });
}
void *my_new_array_nothrow(size_t size, const std::nothrow_t &) {
    return take_or_null(f_new_array_nothrow, [=] { return ::operator new[](size); });
}
void *my_new_aligned(size_t size, std::align_val_t alignment) {
    return take_or_throw(f_new_aligned, [=] { return ::operator new(size, alignment); });
}
void *my_new_aligned_nothrow(size_t size, std::align_val_t alignment, const std::nothrow_t &) {
    return take_or_null(f_new_aligned_nothrow, [=] { return ::operator new(size, alignment); });
}
void *my_new_array_aligned_nothrow(size_t size, std::align_val_t alignment, const std::nothrow_t &) {
    return take_or_null(f_new_array_aligned_nothrow, [=] { return ::operator new[](size, alignment); });
}
void my_delete(void *block) {
    if (block && is_armed.load(std::memory_order_relaxed))
        __atomic_sub_fetch(&state->blocks, 1, __ATOMIC_RELAXED);
    ::operator delete(block);
}
void my_delete_sized(void *block, size_t size) {
    if (block && is_armed.load(std::memory_order_relaxed))
        __atomic_sub_fetch(&state->blocks, 1, __ATOMIC_RELAXED);
    ::operator delete(block, size);
}

struct Replacement {
    const char *name;
    void *function;
};
#define AS_REPLACEMENT(id, name, ...) {name, reinterpret_cast<void *>(&my_##id)},
#define my_new_ my_new
#define my_epoll_pwait2 my_syscall
#define my_futex my_syscall
#define my_membarrier my_syscall
const Replacement replacements[] = {
    FAULT_FUNCTIONS(AS_REPLACEMENT){"syscall", reinterpret_cast<void *>(&my_syscall)},
    {"free", reinterpret_cast<void *>(&my_free)},
    {"_ZdlPv", reinterpret_cast<void *>(&my_delete)},
    {"_ZdlPvm", reinterpret_cast<void *>(&my_delete_sized)},
};

// ---- the table of imports

struct Import {
    const ElfW(Sym) *symbols = nullptr;
    const char *strings = nullptr;
};

int replace(const ElfW(Rela) *entry, size_t bytes, const Import &import, ElfW(Addr) base, bool only_new) {
    int count = 0;
    const long page = ::sysconf(_SC_PAGESIZE);
    for (const auto *end = entry + bytes / sizeof *entry; entry != end; ++entry) {
        const auto type = ELF64_R_TYPE(entry->r_info);
#if defined(__x86_64__)
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) continue;
#elif defined(__aarch64__)
        if (type != R_AARCH64_JUMP_SLOT && type != R_AARCH64_GLOB_DAT && type != R_AARCH64_ABS64) continue;
#endif
        const char *name = import.strings + import.symbols[ELF64_R_SYM(entry->r_info)].st_name;
        if (only_new && std::strcmp(name, "_Znwm") != 0 && std::strncmp(name, "_ZdlPv", 6) != 0)
            continue;
        for (const Replacement &each : replacements) {
            if (std::strcmp(each.name, name) != 0) continue;
            auto *const slot = reinterpret_cast<void **>(base + entry->r_offset);
            void *const first = reinterpret_cast<void *>(uintptr_t(slot) & ~uintptr_t(page - 1));
            if (::mprotect(first, size_t(page), PROT_READ | PROT_WRITE) != 0) continue;
            *slot = each.function;
            ++count;
        }
    }
    return count;
}

int visit(dl_phdr_info *info, size_t, void *argument) {
    const char *const name = std::strrchr(info->dlpi_name, '/');
    const bool is_libzmq = name && std::strncmp(name, "/libzmq.so", 10) == 0;
    // Strings are made by the C++ library, on behalf of the only C++ code there is.
    const bool is_strings = name && std::strncmp(name, "/libstdc++.so", 13) == 0;
    if (!is_libzmq && !is_strings) return 0;
    const ElfW(Dyn) *dynamic = nullptr;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr) &part = info->dlpi_phdr[i];
        if (part.p_type == PT_DYNAMIC)
            dynamic = reinterpret_cast<const ElfW(Dyn) *>(info->dlpi_addr + part.p_vaddr);
        if (is_libzmq && part.p_type == PT_LOAD) {
            if (!library_begin) library_begin = info->dlpi_addr;
            library_end = std::max<uintptr_t>(library_end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
        }
    }
    if (!dynamic) return 0;
    Import import;
    const ElfW(Rela) *jumps = nullptr, *data = nullptr;
    size_t jumps_bytes = 0, data_bytes = 0;
    for (; dynamic->d_tag != DT_NULL; ++dynamic) {
        const auto at = dynamic->d_un.d_ptr;
        switch (dynamic->d_tag) {
        case DT_SYMTAB: import.symbols = reinterpret_cast<const ElfW(Sym) *>(at); break;
        case DT_STRTAB: import.strings = reinterpret_cast<const char *>(at); break;
        case DT_JMPREL: jumps = reinterpret_cast<const ElfW(Rela) *>(at); break;
        case DT_PLTRELSZ: jumps_bytes = dynamic->d_un.d_val; break;
        case DT_RELA: data = reinterpret_cast<const ElfW(Rela) *>(at); break;
        case DT_RELASZ: data_bytes = dynamic->d_un.d_val; break;
        default: break;
        }
    }
    if (!import.symbols || !import.strings) return 0;
    int count = 0;
    if (jumps) count += replace(jumps, jumps_bytes, import, info->dlpi_addr, is_strings);
    if (data) count += replace(data, data_bytes, import, info->dlpi_addr, is_strings);
    if (is_libzmq) *static_cast<int *>(argument) += count;
    return 0;
}

} // namespace

bool injector_install(injector_state *shared) {
    state = shared;
    int count = 0;
    ::dl_iterate_phdr(visit, &count);
    return count > 0;
}

void injector_arm() { is_armed.store(true); }
void injector_disarm() { is_armed.store(false); }

const char *fault_function_name(uint32_t function) {
    return function < functions_count ? names[function] : "?";
}

const int *fault_kinds(uint32_t function) { return kinds[function]; }

const char *fault_kind_name(uint32_t function, int kind) {
    switch (kind) {
    case FAULT_SHORT: return "short";
    case FAULT_END: return "end";
    case FAULT_CLOCK_FORWARD: return "an-hour-later";
    case FAULT_CLOCK_BACK: return "20-ms-earlier";
    default: break;
    }
    if (function == f_getaddrinfo || function == f_getnameinfo) return ::gai_strerror(kind);
    return ::strerrorname_np(kind) ? ::strerrorname_np(kind) : "?";
}
