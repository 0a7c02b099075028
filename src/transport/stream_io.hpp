// Stream I/O: one read or write on a connected stream socket, never blocking, never SIGPIPE.
// Threads: values only.
#ifndef TERN_TRANSPORT_STREAM_IO_HPP
#define TERN_TRANSPORT_STREAM_IO_HPP

#include "base/error.hpp"
#include "os/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <sys/uio.h>

namespace tern {

struct IoResult {
    enum class Status : uint8_t {
        ok,          // count bytes moved, perhaps fewer than asked
        would_block, // nothing moved; wait for the poller
        closed,      // the peer has sent everything it will send (reads only)
        failed,      // see error
    };
    Status status = Status::ok;
    size_t count = 0;
    Error error;
};

IoResult read_some(int fd, void *buffer, size_t size);
// At most IOV_MAX pieces are used; the rest counts as not moved.
IoResult read_vector(int fd, const iovec *pieces, int count);
IoResult write_some(int fd, const void *data, size_t size);
IoResult write_vector(int fd, const iovec *pieces, int count);
// Tells the peer that nothing more will be written.
void end_writing(int fd);
// Of what was written over TCP, the bytes that the peer's system has not confirmed. Elsewhere they are with the peer: 0.
size_t unconfirmed_bytes(int fd);
// The kernel asks the peer's from time to time whether the connection is still there, if it can: its loss is reported
// although nothing is read or written.
void notice_loss(int fd);
// Input over TCP is reported when so many bytes are there, or the end; 1: at once. Reads take what is there all the same. The
// kernel makes room for twice as many, or takes fewer than asked for. False: this descriptor reports at once.
bool gather_input(int fd, int bytes);
// Whether it takes bytes, or has failed, before the time is over.
bool await_writable(int fd, Nanoseconds timeout);

} // namespace tern

#endif
