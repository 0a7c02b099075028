// framing_v1: the frames of ZMTP 1.0.
#include "support/framing.hpp"

namespace tern::fuzz {

void run(Input input) { check_framing(Framing::v1, input); }

} // namespace tern::fuzz
