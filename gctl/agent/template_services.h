// What templates see of the catalogue: the usable instances of all services, as setup/ wants them.
#pragma once

#include <memory>

#include "allocrunner/setup/catalogue.h"
#include "gctl/node/service_book.h"

namespace gaggle {

std::shared_ptr<const setup::Catalogue> template_services(
    const std::vector<node::FoundService>& usable);

}  // namespace gaggle
