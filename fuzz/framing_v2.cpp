// framing_v2: the frames of ZMTP 2.0 and 3.x.
#include "support/framing.hpp"

namespace tern::fuzz {

void run(Input input) { check_framing(Framing::v2, input); }

} // namespace tern::fuzz
