#include "allocrunner/replica/lineage.h"

#include "base/wire.h"

namespace gaggle::replica {

std::string to_string(const Lineage& lineage) {
    return lineage.name_space + '/' + lineage.job + '.' + lineage.group + '[' +
           std::to_string(lineage.index) + ']';
}

std::string folder_of(const Lineage& lineage) {
    const Hash hash = hash_of(encode(lineage));
    return to_hex(BytesView(hash.bytes).first(16));
}

std::string to_string(const Version& version) {
    return "generation " + std::to_string(version.generation.value) + ", version " +
           std::to_string(version.n);
}

}  // namespace gaggle::replica
