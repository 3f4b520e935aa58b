provider "test" {
  alias = "old"
}

resource "test_thing" "a" {
  name = "a"
  provider = test.old
}
