#include "allocrunner/replica/copier.h"

namespace gaggle::replica {

Copier::Copier(FileTree& files, const Places& places)
    : places_(places),
      scans_(files, places.allocs, kFreshBytesMax),
      copies_(files, places.copies) {}

std::optional<Input> Copier::carry_out(const Work& work, WallTime wall, std::string& problem) {
    problem.clear();
    const auto note = [&](const Lineage& lineage, const char* verb, const Result<void>& done) {
        if (!done)
            problem =
                std::string(verb) + " copy of " + to_string(lineage) + ": " + done.error().detail;
        return std::optional<Input>();
    };
    if (const auto* scan = std::get_if<ScanTree>(&work)) return scans_.carry_out(*scan, wall);
    if (const auto* forget = std::get_if<ForgetScan>(&work)) {
        scans_.carry_out(*forget);
        return std::nullopt;
    }
    if (const auto* read = std::get_if<ReadTree>(&work))
        return read->side == Side::source ? scans_.carry_out(*read) : copies_.carry_out(*read);
    if (const auto* read = std::get_if<ReadBlocks>(&work))
        return read->side == Side::source ? scans_.carry_out(*read) : copies_.carry_out(*read);
    if (const auto* stage = std::get_if<StageTree>(&work)) return copies_.carry_out(*stage);
    if (const auto* stage = std::get_if<StageBlocks>(&work)) return copies_.carry_out(*stage);
    if (const auto* commit = std::get_if<CommitTree>(&work)) return copies_.carry_out(*commit);
    if (const auto* seen = std::get_if<RefreshCopy>(&work))
        return note(seen->version.header.lineage, "refresh", copies_.carry_out(*seen));
    const auto& drop = std::get<DropCopy>(work);
    return note(drop.lineage, "drop", copies_.carry_out(drop));
}

Result<std::string> Copier::restore(const Lineage& lineage, const AllocId& alloc, WallTime wall) {
    return copies_.restore(lineage, places_.allocs + '/' + to_string(alloc), wall);
}

bool Copier::is_of_source(const Work& work) {
    if (const auto* read = std::get_if<ReadTree>(&work)) return read->side == Side::source;
    if (const auto* read = std::get_if<ReadBlocks>(&work)) return read->side == Side::source;
    return std::holds_alternative<ScanTree>(work) || std::holds_alternative<ForgetScan>(work);
}

}  // namespace gaggle::replica
