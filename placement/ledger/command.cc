#include "placement/ledger/command.h"

namespace gaggle::ledger {

Result<Bytes> encode_command(const Command& command) {
    Bytes bytes = encode(command);
    if (const auto again = decode_command(bytes); !again.ok())
        return within("encode a command for the log", again.error());
    return bytes;
}

Result<Command> decode_command(BytesView bytes) {
    return decode<Command>(bytes, "log entry", kCommandLimits);
}

}  // namespace gaggle::ledger
