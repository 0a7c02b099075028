// Messages that the library itself sends or delivers when a connection begins or ends, and the socket types
// that have them (zmtp.md section 12). The others take the options, and nothing comes of it.
// Threads: pure functions; what they return lives as long as the options.
#ifndef TERN_LINK_LOCAL_MESSAGES_HPP
#define TERN_LINK_LOCAL_MESSAGES_HPP

#include "link/link_options.hpp"

namespace tern {

// Null: there is none.
// The first message on every connection, as if the program had sent it.
const std::string *hello_message(const LinkOptions &options);
// Delivered at home when a connection that was accepted has ended, as if the peer had sent it.
const std::string *disconnect_message(const LinkOptions &options);
// The same for one that this side has made.
const std::string *hiccup_message(const LinkOptions &options);

} // namespace tern

#endif
