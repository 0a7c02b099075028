// framing_ws_client: what a server of WebSockets says, in a buffer of the client.
#include "support/ws.hpp"

namespace tern::fuzz {

void run(Input input) { check_ws_framing(Framing::ws_client, input); }

} // namespace tern::fuzz
