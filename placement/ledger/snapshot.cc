// The whole ledger as bytes: [format, state], exact and in key order.
#include "base/wire.h"
#include "placement/ledger/ledger.h"
#include "placement/ledger/tables.h"

namespace gaggle::ledger {

namespace {

constexpr std::uint32_t kFormat = 2;
constexpr Limits kSnapshotLimits{
    .fields = Fields::exact, .bytes = 1U << 30U, .items = 1U << 24U, .depth = 128};

struct Stamp {
    std::uint32_t format = kFormat;
    Bytes state;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.format, s.state);
    }
};

}  // namespace

Bytes Ledger::snapshot() const { return encode(Stamp{kFormat, encode(tables_->state)}); }

Result<Ledger> Ledger::restore(BytesView bytes) {
    const Stamp stamp = TRY(decode<Stamp>(bytes, "ledger snapshot", kSnapshotLimits));
    if (stamp.format != kFormat)
        return Error{Errc::corrupt, "restore ledger snapshot: its format is " +
                                        std::to_string(stamp.format) + ", this version reads " +
                                        std::to_string(kFormat) + ": upgrade needed"};
    auto tables = std::make_unique<Tables>();
    tables->state = TRY(decode<State>(stamp.state, "ledger snapshot", kSnapshotLimits));
    tables->indexes = indexes_of(tables->state);
    if (auto what = ledger::contradiction(*tables))
        return Error{Errc::corrupt,
                     "restore ledger snapshot: " + *what + "; take one from another full copy"};
    return Ledger(std::move(tables));
}

}  // namespace gaggle::ledger
