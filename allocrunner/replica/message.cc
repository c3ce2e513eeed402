#include "allocrunner/replica/message.h"

#include "base/wire.h"

namespace gaggle::replica {

namespace {

const Limits kMessageLimits{
    .fields = Fields::lenient, .bytes = kMessageBytesMax, .items = 1024, .depth = 12};

template <class What>
const Lineage& lineage_in(const What& what) {
    if constexpr (requires { what.version.header; })
        return what.version.header.lineage;
    else
        return what.lineage;
}

}  // namespace

Bytes encode_message(Body body) {
    Bytes bytes = encode(Message{.version = kMessageVersion, .body = std::move(body)});
    INVARIANT(bytes.size() <= kMessageBytesMax);
    return bytes;
}

Result<Body> decode_message(BytesView bytes) {
    Message message = TRY(decode<Message>(bytes, "message about copies", kMessageLimits));
    if (message.version != kMessageVersion)
        return Error{Errc::corrupt, "decode message about copies: version " +
                                        std::to_string(message.version) + ", this peer speaks " +
                                        std::to_string(kMessageVersion)};
    if (const auto* want = std::get_if<WantBlocks>(&message.body))
        if (want->blocks.empty() || want->blocks.size() > kBlocksPerMessage)
            return Error{Errc::corrupt, "decode message about copies: a request for " +
                                            std::to_string(want->blocks.size()) + " blocks"};
    return std::move(message.body);
}

const Lineage& lineage_of(const Body& body) {
    return std::visit([](const auto& what) -> const Lineage& { return lineage_in(what); }, body);
}

}  // namespace gaggle::replica
