terraform {
  required_providers {
    random = {}
  }

  required_providers {
    null = {}
  }
}

terraform {
  required_providers {
    time = {}
    random = {}
  }
}
