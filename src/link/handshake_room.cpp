#include "link/handshake_room.hpp"

#include "link/opening.hpp"

namespace tern {

bool HandshakeRoom::enter(Opening &opening) {
    if (taken_ < places_max) {
        ++taken_;
        return true;
    }
    opening.place_number = next_number_++;
    waiting_.emplace(opening.place_number, &opening);
    return false;
}

void HandshakeRoom::leave(Opening &opening) {
    if (opening.place_number != 0) {
        waiting_.erase(opening.place_number);
        opening.place_number = 0;
        return;
    }
    if (!opening.has_place()) return;
    if (waiting_.empty()) {
        --taken_;
        return;
    }
    Opening &next = *waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    next.place_number = 0;
    next.place_given();
}

} // namespace tern
