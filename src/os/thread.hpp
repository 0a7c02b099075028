// Background threads: all signals blocked, so that handlers run in the program's own threads.
// Threads: start and join belong to the owner.
#ifndef TERN_OS_THREAD_HPP
#define TERN_OS_THREAD_HPP

#include "base/error.hpp"

#include <functional>
#include <pthread.h>
#include <set>
#include <string>

namespace tern {

struct ThreadSettings {
    std::string name;      // cut to what the system allows
    int priority = -1;     // -1: the system's
    int sched_policy = -1; // -1: the system's
    std::set<int> cpus;    // empty: all
    bool precise_timers = false; // wake up within microseconds, not tens of them
};

class Thread {
  public:
    Thread() = default;
    Thread(const Thread &) = delete;
    Thread &operator=(const Thread &) = delete;
    ~Thread() { join(); }

    Error start(ThreadSettings settings, std::function<void()> body);
    bool is_started() const { return started_; }
    void join();

  private:
    pthread_t thread_{};
    bool started_ = false;
};

// May a thread wait awake for another one? Not where they would have to share a core.
bool has_cores_to_spare();

// A thread that nobody joins.
Error start_detached(ThreadSettings settings, std::function<void()> body);

} // namespace tern

#endif
