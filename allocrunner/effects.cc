#include "allocrunner/effects.h"

namespace gaggle::allocrunner {

const AllocId& alloc_of(const Work& work) {
    return std::visit(
        [](const auto& piece) -> const AllocId& {
            if constexpr (requires { piece.order; })
                return piece.order.alloc;
            else
                return piece.alloc;
        },
        work);
}

}  // namespace gaggle::allocrunner
