#include "link/udp_medium.hpp"

#include <mutex>
#include <sys/socket.h>
#include <zmq.h>

namespace tern {

namespace {
// What is no message is dropped; after so many in a row other descriptors have their turn.
constexpr int reads_per_call = 64;
} // namespace

Result<std::unique_ptr<Medium>> UdpMedium::open(std::string_view text, const LinkOptions &options,
                                                bool binds) {
    const auto address = resolve_udp(text, binds, options.transport.ipv6);
    if (!address) return address.error();
    auto fd = binds ? udp_open_receiver(*address, options.transport)
                    : udp_open_sender(*address, options.transport);
    if (!fd) return fd.error();
    const auto local = SocketAddress::local_of(fd->get());
    if (!local) return local.error();
    return std::unique_ptr<Medium>(std::make_unique<UdpMedium>(
        std::move(*fd), local->family(), address->host, options.socket_type));
}

UdpMedium::UdpMedium(Fd fd, int family, SocketAddress target, int socket_type)
    : fd_(std::move(fd)), socket_type_(socket_type), family_(family),
      reads_(socket_type != ZMQ_RADIO), target_(std::move(target)) {}

Error UdpMedium::start(Loop &loop, MediumUser &user) {
    loop_ = &loop;
    user_ = &user;
    if (reads_ && !in_) in_.reset(new (std::nothrow) uint8_t[datagram_max]);
    if (reads_ && !in_) return err::no_memory;
    std::lock_guard<Lock> guard(lock_);
    if (!fd_.is_open()) return err::none;
    const auto watch = loop.watch(fd_.get(), *this, interest());
    if (!watch) return watch.error();
    watch_ = *watch;
    return err::none;
}

void UdpMedium::stop() {
    std::lock_guard<Lock> guard(lock_);
    if (loop_) loop_->unwatch(watch_, fd_.get());
    fd_.reset();
}

void UdpMedium::end_input(Loop &loop) {
    if (socket_type_ != ZMQ_DISH) return;
    std::lock_guard<Lock> guard(lock_);
    // The kernel forgets it here and now; the loop's own note of it goes in stop().
    loop.poller().remove(fd_.get());
    fd_.reset();
}

unsigned UdpMedium::interest() const {
    return (reads_ ? unsigned(ready::read) : 0u) | (waiting_ ? unsigned(ready::write) : 0u);
}

void UdpMedium::update_interest() {
    std::lock_guard<Lock> guard(lock_);
    (void)loop_->change(watch_, fd_.get(), interest());
}

void UdpMedium::pause() {
    reads_ = false;
    update_interest();
}

void UdpMedium::resume() {
    reads_ = socket_type_ != ZMQ_RADIO;
    update_interest();
}

void UdpMedium::on_ready(unsigned bits) {
    if ((bits & ready::write) && waiting_) {
        write();
        if (!waiting_) {
            update_interest();
            user_->medium_writable();
        }
    }
    if (reads_ && (bits & ~unsigned(ready::write))) user_->medium_readable();
}

// ---- out

void UdpMedium::send(Message &frame) {
    if (socket_type_ == ZMQ_DGRAM) {
        send_with_address(frame);
    } else if (socket_type_ == ZMQ_RADIO) {
        if (!out_) out_.reset(new (std::nothrow) uint8_t[datagram_max]);
        const size_t size =
            out_ ? put_group_datagram(out_.get(), frame.group(), frame.bytes()) : 0;
        if (size > 0) {
            waiting_ = size;
            write();
        }
    }
    frame.close();
    if (waiting_) update_interest();
}

// The address, then the body. What has an address that means nothing, or is too large, is dropped.
void UdpMedium::send_with_address(Message &frame) {
    if (frame.has(Message::more)) {
        std::string_view text = frame.bytes().text();
        if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
        const auto address = parse_udp_peer(text, family_);
        has_address_ = bool(address);
        if (address) target_ = *address;
        return;
    }
    if (!std::exchange(has_address_, false) || frame.size() > datagram_max) return;
    if (!out_) out_.reset(new (std::nothrow) uint8_t[datagram_max]);
    if (!out_) return;
    copy_bytes(out_.get(), frame.data(), frame.size());
    waiting_ = frame.size();
    write();
}

// Only a full kernel makes it wait: any other failure is one datagram lost, as on the way.
void UdpMedium::write() {
    ssize_t sent;
    do {
        sent = ::sendto(fd_.get(), out_.get(), *waiting_, MSG_NOSIGNAL, target_.data(),
                        target_.size());
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    waiting_.reset();
}

// ---- in

// One datagram. It is empty with a `peer` that is empty when it was longer than any of ours may be.
bool UdpMedium::read(Bytes &datagram, SocketAddress &peer) {
    sockaddr_storage storage{};
    iovec piece{in_.get(), datagram_max};
    msghdr header{};
    header.msg_name = &storage;
    header.msg_namelen = sizeof storage;
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    ssize_t size;
    {
        std::lock_guard<Lock> guard(lock_);
        do {
            size = ::recvmsg(fd_.get(), &header, 0);
        } while (size < 0 && errno == EINTR);
    }
    if (size < 0) return false;
    const bool is_whole = (header.msg_flags & MSG_TRUNC) == 0;
    datagram = Bytes(in_.get(), is_whole ? static_cast<size_t>(size) : 0);
    peer = is_whole ? SocketAddress(reinterpret_cast<const sockaddr *>(&storage), header.msg_namelen)
                    : SocketAddress();
    return true;
}

bool UdpMedium::receive(Message &frame) {
    if (socket_type_ == ZMQ_RADIO) return false;
    if (has_body_) {
        frame.take(*body_);
        has_body_ = false;
        return true;
    }
    for (int i = 0; i < reads_per_call; ++i) {
        Bytes datagram;
        SocketAddress peer;
        if (!read(datagram, peer)) return false;
        if (socket_type_ == ZMQ_DGRAM ? shape_addressed(datagram, peer, frame)
                                      : shape_grouped(datagram, frame))
            return true;
    }
    return false;
}

bool UdpMedium::shape_grouped(Bytes datagram, Message &frame) {
    GroupDatagram parsed;
    if (!parse_group_datagram(datagram, parsed) || frame.init_copy(parsed.body)) return false;
    if (!frame.set_group(parsed.group)) return true;
    frame.close();
    return false;
}

// The address is a C string with its end.
bool UdpMedium::shape_addressed(Bytes datagram, const SocketAddress &peer, Message &frame) {
    if (peer.is_empty() || body_->init_copy(datagram)) return false;
    const std::string text = udp_peer_text(peer);
    if (frame.init_copy(Bytes(text.c_str(), text.size() + 1))) {
        body_->close();
        body_->init();
        return false;
    }
    frame.set(Message::more);
    has_body_ = true;
    return true;
}

} // namespace tern
