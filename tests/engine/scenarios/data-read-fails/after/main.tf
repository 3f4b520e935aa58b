resource "test_thing" "a" {
  name = "a"
  size = 1
}

data "test_lookup" "l" {
  name = "l"
}
