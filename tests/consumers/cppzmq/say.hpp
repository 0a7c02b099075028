// What the cppzmq programs share: a transcript on standard output, which has to be the same on both
// libraries, and checks that end the program.
#ifndef TERN_CPPZMQ_SAY_HPP
#define TERN_CPPZMQ_SAY_HPP

#include <zmq.hpp>
#include <zmq_addon.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::cout << __FILE__ << ":" << __LINE__ << ": not so: " << #condition << std::endl;   \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

// The errno of the zmq::error_t that the call throws; 0 when it throws none.
template <class Call>
int errno_of(Call call) {
    try {
        call();
    } catch (const zmq::error_t &error) {
        CHECK(std::string(error.what()) == zmq_strerror(error.num()));
        return error.num();
    }
    return 0;
}

inline void give_up_after(int milliseconds, zmq::socket_t &socket) {
    socket.set(zmq::sockopt::rcvtimeo, milliseconds);
    socket.set(zmq::sockopt::sndtimeo, milliseconds);
}

inline std::string text_of(zmq::socket_t &socket) {
    zmq::message_t message;
    CHECK(socket.recv(message, zmq::recv_flags::none));
    return message.to_string();
}

// Binds to a free port or file and gives the address.
inline std::string bind_any(zmq::socket_t &socket, const std::string &wildcard) {
    socket.bind(wildcard);
    return socket.get(zmq::sockopt::last_endpoint);
}

#endif
