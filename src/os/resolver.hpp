// Resolver: threads for calls that may block in the name service, so that no I/O thread does.
// Threads: run() from any thread; jobs run on threads of the resolver's own, which come when they are
//          needed and go when they are idle. A slow name server delays only those who ask it.
// Owner:   the Context. stop() does not wait for a job that hangs in the name service: its thread is
//          left to itself, and what it holds is shared.
#ifndef TERN_OS_RESOLVER_HPP
#define TERN_OS_RESOLVER_HPP

#include <functional>
#include <memory>

namespace tern {

class Resolver {
  public:
    using Job = std::function<void()>;
    Resolver();
    ~Resolver() { stop(); }
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
