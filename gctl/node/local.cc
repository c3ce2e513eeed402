#include "gctl/node/local.h"

namespace gaggle::node {

bool counts_once(const LocalQuestion& question) {
    return std::holds_alternative<ExecStart>(question) ||
           std::holds_alternative<CommandTask>(question) ||
           std::holds_alternative<CollectDirs>(question);
}

}  // namespace gaggle::node
