// Waker: a descriptor that turns readable when another thread signals it.
// Threads: signal() from any thread; the rest belongs to the thread that waits.
#ifndef TERN_OS_WAKER_HPP
#define TERN_OS_WAKER_HPP

#include "base/error.hpp"
#include "os/fd.hpp"

namespace tern {

class Waker {
  public:
    // Fails when the process is out of descriptors.
    Error open();
    bool is_open() const { return read_end_.is_open(); }
    int fd() const { return read_end_.get(); }
    // False: the descriptor is not ours any more, the program has closed it behind our back.
    bool signal() const;
    // Lets go of such a descriptor without closing it.
    void disown() {
        (void)read_end_.release();
        (void)write_end_.release();
    }
    // Takes all signals; never blocks. False when there was none.
    bool drain() const;
    // The same when a signal is known to be under way: waits for it. Bounded, in case the program closed
    // the descriptor behind our back.
    void drain_promised() const;

  private:
    Fd read_end_;
    Fd write_end_; // only where there is no eventfd
};

} // namespace tern

#endif
