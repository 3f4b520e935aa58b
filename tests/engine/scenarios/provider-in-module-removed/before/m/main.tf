variable "host" {}
provider "inner" { host = var.host }
resource "inner_pod" "p" {
  name = "p"
}
