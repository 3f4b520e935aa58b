provider "test" {}
provider "test" {
  alias = "other"
}
