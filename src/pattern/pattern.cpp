#include "pattern/pattern.hpp"

#include "pattern/channel_pair.hpp"
#include "pattern/client.hpp"
#include "pattern/dealer.hpp"
#include "pattern/dgram.hpp"
#include "pattern/dish.hpp"
#include "pattern/gather.hpp"
#include "pattern/pair.hpp"
#include "pattern/pull.hpp"
#include "pattern/push.hpp"
#include "pattern/radio.hpp"
#include "pattern/rep.hpp"
#include "pattern/req.hpp"
#include "pattern/router.hpp"
#include "pattern/scatter.hpp"
#include "pattern/server.hpp"
#include "pattern/stream.hpp"
#include "pattern/xpub.hpp"
#include "pattern/xsub.hpp"

#include <zmq.h>

namespace tern {

std::unique_ptr<Pattern> make_pattern(int socket_type, PatternHost &host, uint32_t random) {
    switch (socket_type) {
    case ZMQ_PAIR: return std::make_unique<Pair>(host);
    case ZMQ_PUB: return std::make_unique<Xpub>(host, false);
    case ZMQ_SUB: return std::make_unique<Sub>(host);
    case ZMQ_REQ: return std::make_unique<Req>(host, random);
    case ZMQ_REP: return std::make_unique<Rep>(host);
    case ZMQ_DEALER: return std::make_unique<Dealer>(host);
    case ZMQ_ROUTER: return std::make_unique<Router>(host, random);
    case ZMQ_PULL: return std::make_unique<Pull>(host);
    case ZMQ_PUSH: return std::make_unique<Push>();
    case ZMQ_XPUB: return std::make_unique<Xpub>(host);
    case ZMQ_XSUB: return std::make_unique<Xsub>(host);
    case ZMQ_STREAM: return std::make_unique<Stream>(host, random);
    case ZMQ_SERVER: return std::make_unique<Server>(host, random);
    case ZMQ_CLIENT: return std::make_unique<Client>(host);
    case ZMQ_RADIO: return std::make_unique<Radio>(host);
    case ZMQ_DISH: return std::make_unique<Dish>(host);
    case ZMQ_DGRAM: return std::make_unique<Dgram>(host);
    case ZMQ_GATHER: return std::make_unique<Gather>(host);
    case ZMQ_SCATTER: return std::make_unique<Scatter>();
    case ZMQ_PEER: return std::make_unique<Server>(host, random);
    case ZMQ_CHANNEL: return std::make_unique<ChannelPair>(host);
    default: return nullptr;
    }
}

} // namespace tern
