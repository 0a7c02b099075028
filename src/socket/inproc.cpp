#include "socket/inproc.hpp"

#include "flow/surely.hpp"

#include <algorithm>

namespace tern {

InprocNames::~InprocNames() {
    // Nobody bound these names: what waits there is discarded with the context (INP-3).
    for (auto &entry : waiting_)
        for (Waiting &waiting : entry.second) waiting.pair->far_end().release();
}

namespace {

// While nobody else writes to this end.
void greet(Pipe &pipe, const std::string &hello) {
    if (hello.empty()) return;
    Message message;
    surely([&] { return message.init_copy(Bytes(hello)); });
    pipe.write_surely(message);
}

} // namespace

void InprocNames::join(PipePair &pair, const InprocSide &connecter, const InprocSide &binder) {
    Pipe &near = pair.near_end();
    Pipe &far = pair.far_end();
    near.outbound().set_reader_part(binder.receive_hwm);
    far.outbound().set_writer_part(binder.send_hwm);
    far.set_peer_routing_id(connecter.routing_id);
    far.announce_routing_id(binder.routing_id);
    far.set_farewell(binder.disconnect_message);
    greet(far, binder.hello_message);
    far.give_to(binder.mailbox);
    near.notify(Pipe::named);
}

Error InprocNames::bind(const std::string &name, const InprocSide &binder) {
    std::lock_guard<std::mutex> guard(mutex_);
    if (!bound_.emplace(name, binder).second) return err::address_in_use;
    binder.mailbox->add_reference();
    const auto waiting = waiting_.find(name);
    if (waiting == waiting_.end()) return err::none;
    for (Waiting &entry : waiting->second) {
        join(*entry.pair, entry.connecter, binder);
        entry.pair->near_end().notify(Pipe::writable); // the binder's part has made room (HWM-4)
    }
    waiting_.erase(waiting);
    return err::none;
}

bool InprocNames::unbind(const std::string &name, const Mailbox *binder) {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto it = bound_.find(name);
    if (it == bound_.end() || it->second.mailbox != binder) return false;
    it->second.mailbox->drop_reference();
    bound_.erase(it);
    return true;
}

PipePair *InprocNames::make_pair(const InprocSide &connecter) {
    PipePair *pair = PipePair::create(true);
    if (!pair) return nullptr;
    Pipe &near = pair->near_end();
    Pipe &far = pair->far_end();
    near.set_mailbox(connecter.mailbox);
    near.set_connected_side(true);
    near.set_identified(false);
    near.outbound().set_writer_part(connecter.send_hwm);
    far.outbound().set_reader_part(connecter.receive_hwm);
    if (connecter.conflate) { // the connecting side decides for both directions (CF-5)
        near.outbound().conflate();
        far.outbound().conflate();
    }
    far.hold_news();
    greet(near, connecter.hello_message);
    return pair;
}

PipePair *InprocNames::connect(const std::string &name, const InprocSide &connecter) {
    PipePair *pair = make_pair(connecter);
    if (!pair) return nullptr;
    std::lock_guard<std::mutex> guard(mutex_);
    const auto binder = bound_.find(name);
    if (binder != bound_.end()) join(*pair, connecter, binder->second);
    else waiting_[name].push_back({pair, connecter});
    return pair;
}

Result<PipePair *> InprocNames::connect_to_bound(const std::string &name,
                                                 const InprocSide &connecter,
                                                 std::initializer_list<int> binder_types) {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto binder = bound_.find(name);
    if (binder == bound_.end()) return err::no_entry;
    const int type = binder->second.socket_type;
    if (std::find(binder_types.begin(), binder_types.end(), type) == binder_types.end())
        return err::incompatible;
    PipePair *pair = make_pair(connecter);
    if (!pair) return err::no_memory;
    join(*pair, connecter, binder->second);
    return pair;
}

} // namespace tern
