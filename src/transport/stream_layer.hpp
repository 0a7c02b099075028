// StreamLayer: what encrypts a stream between its descriptor and those who read and write it. Without one,
// bytes go straight to the kernel.
// Threads: one may read while another writes.
// Owner:   an Opening, then its Link, beside the descriptor, which it outlives by nothing.
#ifndef TERN_TRANSPORT_STREAM_LAYER_HPP
#define TERN_TRANSPORT_STREAM_LAYER_HPP

#include "transport/stream_io.hpp"

#include <memory>

namespace tern {

class StreamLayer {
  public:
    enum class Progress : uint8_t { done, wants_read, wants_write, failed };

    virtual ~StreamLayer() = default;

    // Before anything else, until it is done: again each time that what it wants is there.
    virtual Progress handshake() = 0;
    // As read_vector(): it has more only if it has filled all. Bytes may wait here of which the
    // descriptor knows nothing.
    virtual IoResult read(const iovec *pieces, int count) = 0;
    // As write_vector(). What it did not take comes first in the next call.
    virtual IoResult write(const iovec *pieces, int count) = 0;
    // Tells the peer that nothing more will be written.
    virtual void end_writing() = 0;
};

// Makes one for each connection of a listener or connector.
class StreamLayerMaker {
  public:
    virtual ~StreamLayerMaker() = default;
    // Null: no memory. The descriptor stays the caller's, and open while the layer is there.
    virtual std::unique_ptr<StreamLayer> make(int fd) const = 0;
};

inline IoResult read_vector(StreamLayer *layer, int fd, const iovec *pieces, int count) {
    return layer ? layer->read(pieces, count) : read_vector(fd, pieces, count);
}
inline IoResult write_vector(StreamLayer *layer, int fd, const iovec *pieces, int count) {
    return layer ? layer->write(pieces, count) : write_vector(fd, pieces, count);
}
inline void end_writing(StreamLayer *layer, int fd) {
    if (layer) layer->end_writing();
    end_writing(fd);
}

} // namespace tern

#endif
