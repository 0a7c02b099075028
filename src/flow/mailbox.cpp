#include "flow/mailbox.hpp"

#include "flow/pipe.hpp"

#include <sched.h>

namespace tern {

void Mailbox::post(Pipe &pipe) {
    Pipe *head = news_.load(std::memory_order_relaxed);
    do pipe.next_news = head;
    while (!news_.compare_exchange_weak(head, &pipe, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));
    if (listener_) listener_->news_posted();
    else wake();
}

void Mailbox::signal() {
    int expected = asleep;
    if (state_.compare_exchange_strong(expected, signalled, std::memory_order_seq_cst))
        waker_.signal();
}

void Mailbox::end_sleep() {
    if (state_.exchange(awake, std::memory_order_seq_cst) != signalled) return;
    // The signaller is between its exchange and its write: wait for it, or the descriptor would
    // stay readable with nothing to say. Bounded, in case the program closed it behind our back.
    for (int i = 0; i < 100000 && !waker_.drain(); ++i) ::sched_yield();
}

} // namespace tern
