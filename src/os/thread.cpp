#include "os/thread.hpp"

#include "os/memory_wait.hpp"

#include <csignal>
#include <memory>
#include <sched.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace tern {

namespace {

struct Start {
    ThreadSettings settings;
    std::function<void()> body;
};

// Whatever the system refuses here is a lost wish, no failure: the thread runs all the same.
void apply(const ThreadSettings &settings) {
    const pthread_t self = ::pthread_self();
#if defined(__linux__)
    if (!settings.name.empty()) ::pthread_setname_np(self, settings.name.substr(0, 15).c_str());
    if (!settings.cpus.empty()) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        for (int cpu : settings.cpus)
            if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
        ::pthread_setaffinity_np(self, sizeof cpus, &cpus);
    }
    if (settings.precise_timers) ::prctl(PR_SET_TIMERSLACK, 1000UL);
#endif
    if (settings.priority >= 0 || settings.sched_policy >= 0) {
        int policy = 0;
        sched_param parameters{};
        if (::pthread_getschedparam(self, &policy, &parameters) == 0) {
            if (settings.sched_policy >= 0) policy = settings.sched_policy;
            if (settings.priority >= 0) parameters.sched_priority = settings.priority;
            ::pthread_setschedparam(self, policy, &parameters);
        }
    }
}

void *run(void *argument) {
    const std::unique_ptr<Start> start(static_cast<Start *>(argument));
    {
        const WaitsForMemory waits;
        apply(start->settings);
    }
    start->body();
    return nullptr;
}

} // namespace

// A program may have made stacks small by default: TLS and name services need more.
static constexpr size_t stack_min = 256 * 1024;

static Error create(pthread_t &thread, ThreadSettings settings, std::function<void()> body) {
    auto start = std::make_unique<Start>(Start{std::move(settings), std::move(body)});
    pthread_attr_t attributes;
    int error = ::pthread_attr_init(&attributes);
    if (error) return Error(error);
    size_t stack = 0;
    if (::pthread_attr_getstacksize(&attributes, &stack) == 0 && stack < stack_min)
        (void)::pthread_attr_setstacksize(&attributes, stack_min);
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    error = ::pthread_create(&thread, &attributes, run, start.get());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    if (error) return Error(error);
    (void)start.release();
    return err::none;
}

Error Thread::start(ThreadSettings settings, std::function<void()> body) {
    const Error error = create(thread_, std::move(settings), std::move(body));
    started_ = !error;
    return error;
}

bool has_cores_to_spare() {
#if defined(__linux__)
    static const bool spare = [] { // of those that this process may use
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        return ::sched_getaffinity(0, sizeof cpus, &cpus) != 0 || CPU_COUNT(&cpus) > 1;
    }();
#else
    static const bool spare = ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
#endif
    return spare;
}

Error start_detached(ThreadSettings settings, std::function<void()> body) {
    pthread_t thread;
    const Error error = create(thread, std::move(settings), std::move(body));
    if (!error) ::pthread_detach(thread);
    return error;
}

void Thread::join() {
    if (started_) ::pthread_join(thread_, nullptr);
    started_ = false;
}

} // namespace tern
