// framing_ws_server: what a client of WebSockets says, in a buffer of the server.
#include "support/ws.hpp"

namespace tern::fuzz {

void run(Input input) { check_ws_framing(Framing::ws_server, input); }

} // namespace tern::fuzz
