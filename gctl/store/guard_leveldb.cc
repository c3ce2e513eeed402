#include "gctl/store/guard.h"

namespace gaggle::store {

Guard::Guard(CheckedEnv& env, std::string directory)
    : env_(env), directory_(std::move(directory)) {}

std::string Guard::slot_path(std::uint64_t counter) const {
    return directory_ + "/GUARD." + std::to_string(counter % 2);
}

Result<std::optional<Witness>> Guard::read() {
    std::optional<Witness> newest;
    for (const std::uint64_t slot : {0, 1}) {
        auto bytes = read_file(env_, slot_path(slot), kGuardSlotBytes);
        if (!bytes.ok() && bytes.error().code != Errc::corrupt) return std::move(bytes).error();
        if (!bytes.ok() || !*bytes) continue;
        auto witness = decode_slot(**bytes);
        if (witness && (!newest || witness->counter > newest->counter)) newest = witness;
    }
    if (newest) counter_ = newest->counter;
    return newest;
}

Result<void> Guard::create() {
    TRY(write({}));
    return write({});
}

Result<void> Guard::write(Witness witness) {
    witness.counter = counter_ + 1;
    TRY(write_file(env_, slot_path(witness.counter), encode_slot(witness)));
    counter_ = witness.counter;
    return {};
}

}  // namespace gaggle::store
