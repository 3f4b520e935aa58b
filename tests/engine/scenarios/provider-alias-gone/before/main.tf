provider "test" {}
provider "test" {
  alias = "other"
}

resource "test_thing" "a" {
  name = "a"
  provider = test.other
}
