#include "placement/raft/entry.h"

#include "base/hash.h"

namespace gaggle::raft {

namespace {

Bytes fixed_width(std::uint64_t previous, const Entry& entry) {
    Bytes out;
    out.reserve(25);
    for (const std::uint64_t number : {previous, entry.index.value, entry.term.value})
        for (unsigned shift = 0; shift < 64; shift += 8)
            out.push_back(static_cast<std::uint8_t>(number >> shift));
    out.push_back(static_cast<std::uint8_t>(entry.kind));
    return out;
}

Error broken(LogIndex index, const std::string& why) {
    return {Errc::corrupt, "start from the log: entry " + std::to_string(index.value) + " " + why};
}

}  // namespace

std::uint64_t chained(std::uint64_t previous, const Entry& entry) {
    return checksum64(checksum64(fixed_width(previous, entry)), entry.payload);
}

Restored founding(const std::vector<PeerNumber>& founders) {
    INVARIANT(!founders.empty());
    Configuration first;
    for (std::size_t at = 0; at < founders.size(); ++at) {
        const ReplicaId id{at + 1};
        first.voters.insert(id);
        first.peers[id] = founders[at];
    }
    INVARIANT(valid(first));
    Restored out{.hard = {.term = Term{1}}};
    std::uint64_t previous = 0;
    // One entry for each founder, so that no later learner's id, a log index, equals a founder's.
    for (std::size_t at = 0; at < founders.size(); ++at) {
        Entry entry{.index = LogIndex{at + 1}, .term = Term{1}};
        if (at == 0) entry.kind = EntryKind::configuration;
        if (at == 0) entry.payload = encode_configuration(first);
        previous = entry.checksum = chained(previous, entry);
        out.entries.push_back(std::move(entry));
    }
    return out;
}

Result<void> verify(const Restored& restored) {
    const SnapshotMeta none;
    const SnapshotMeta& base = restored.snapshot ? restored.snapshot->meta : none;
    if (!valid(base.configuration))
        return Error{Errc::corrupt,
                     "start from the log: the snapshot's configuration contradicts itself"};
    if (restored.hard.term < base.term)
        return broken(base.index, "of the snapshot has a later term than the hard state");
    const Entry* before = nullptr;
    for (const Entry& entry : restored.entries) {
        if (!before && (entry.index.value == 0 || entry.index.value > base.index.value + 1))
            return broken(entry.index, "is the first, but the snapshot ends at " +
                                           std::to_string(base.index.value));
        if (before && entry.index.value != before->index.value + 1)
            return broken(entry.index, "follows entry " + std::to_string(before->index.value) +
                                           ": entries are missing");
        if (before && entry.term < before->term)
            return broken(entry.index, "has an earlier term than the one before");
        if (entry.term > restored.hard.term)
            return broken(entry.index, "has a later term than the hard state");
        // The entry before the kept tail is gone, so the tail's first checksum is checked by what
        // follows it.
        const bool after_base = !before && entry.index.value == base.index.value + 1;
        const std::uint64_t previous = before ? before->checksum : base.checksum;
        if ((before || after_base) && entry.checksum != chained(previous, entry))
            return broken(entry.index, "does not have the checksum it was stored with");
        if (entry.index == base.index && entry.checksum != base.checksum)
            return broken(entry.index, "is not the one that the snapshot ends with");
        if (entry.kind == EntryKind::configuration && !decode_configuration(entry.payload).ok())
            return broken(entry.index, "holds a configuration that cannot be read");
        before = &entry;
    }
    if (before && before->index < base.index)
        return broken(before->index, "is the last, before the snapshot's end at " +
                                         std::to_string(base.index.value));
    return {};
}

}  // namespace gaggle::raft
