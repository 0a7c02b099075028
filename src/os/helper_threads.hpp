// HelperThreads: threads for calls that may block outside of the process, in the name service or at
// a ticket server, so that no I/O thread does.
// Threads: run() from any thread; jobs run on threads of their own, which come when they are needed
//          and go when they are idle. A slow server delays only those who ask it.
// Owner:   the Context. stop() does not wait for a job that hangs: its thread is left to itself,
//          and what it holds is shared.
// Limit:   threads_max threads each; jobs beyond them wait.
#ifndef TERN_OS_HELPER_THREADS_HPP
#define TERN_OS_HELPER_THREADS_HPP

#include <functional>
#include <memory>

namespace tern {

class HelperThreads {
  public:
    using Job = std::function<void()>;
    // The name is a literal that debuggers show.
    explicit HelperThreads(const char *thread_name);
    ~HelperThreads() { stop(); }
    // Each job is handed to an idle thread or a new one. False when no thread can be had.
    bool run(Job job);
    // Jobs that have not begun are dropped.
    void stop();

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace tern

#endif
