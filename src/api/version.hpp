// The libzmq version that this library stands in for: what the header says, unless the environment
// variable TERN_ZMQ_VERSION says otherwise (spec/decisions.md).
#ifndef TERN_API_VERSION_HPP
#define TERN_API_VERSION_HPP

namespace tern {

struct Version {
    int major, minor, patch;
};

Version reported_version();

} // namespace tern

#endif
