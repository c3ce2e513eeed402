#include "allocrunner/drivers/container_name.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "base/hash.h"

namespace gaggle::allocrunner {

std::string container_name(const TaskLocation& at) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(at.task.front())) != 0 &&
        std::all_of(at.task.begin(), at.task.end(), [](unsigned char letter) {
            return std::isalnum(letter) != 0 || letter == '_' || letter == '.' || letter == '-';
        });
    const std::string task = plain ? at.task : "x" + std::to_string(checksum64(as_bytes(at.task)));
    return task + "-" + at.alloc;
}

}  // namespace gaggle::allocrunner
