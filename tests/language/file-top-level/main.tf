a = 1

varable "x" {}

resources "terraform_data" "x" {}

variable {}

variable "a" "b" {}

resource "terraform_data" {}

locals "x" {}

data "a" "b" "c" {}
