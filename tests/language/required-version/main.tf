terraform {
  required_version = ">= 1.5, < 2.0.0"
}

terraform {
  required_version = "~> 1.2.0"
}

terraform {
  required_version = "one"
}
