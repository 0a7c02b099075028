// HandshakeRoom: the openings of a listener that may hold more of their peer's bytes than handshake_small_max.
// A stranger who announces much and sends it slowly takes that memory for as long as he likes; so few may at a
// time, and the others wait for a place, unread. Whoever keeps to a small handshake needs none.
// Threads: I/O thread only.
// Owner:   the Listener.
// Limit:   places_max frames of handshake_frame_max bytes.
#ifndef TERN_LINK_HANDSHAKE_ROOM_HPP
#define TERN_LINK_HANDSHAKE_ROOM_HPP

#include <cstddef>
#include <map>

namespace tern {

class Opening;

// What an opening may always hold: the commands of any mechanism, with usual metadata.
inline constexpr size_t handshake_small_max = 512;

class HandshakeRoom {
  public:
    static constexpr size_t places_max = 16;

    // True: it has a place now. Otherwise it is told by Opening::place_given().
    bool enter(Opening &opening);
    // Whether it has a place, waits for one, or neither.
    void leave(Opening &opening);

  private:
    size_t taken_ = 0;
    std::map<size_t, Opening *> waiting_; // by number, so that the first comes first
    size_t next_number_ = 1;
};

} // namespace tern

#endif
