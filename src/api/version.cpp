#include "api/version.hpp"

#include <cstdio>
#include <cstdlib>
#include <zmq.h>

namespace tern {

Version reported_version() {
    Version version{ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH};
    if (const char *text = std::getenv("TERN_ZMQ_VERSION")) {
        Version wanted{};
        if (std::sscanf(text, "%d.%d.%d", &wanted.major, &wanted.minor, &wanted.patch) == 3)
            version = wanted;
    }
    return version;
}

} // namespace tern
