variable "a" {
  default = 1
  default = 2
}

locals {
  object = {
    k = 1
    k = 2
  }
}
