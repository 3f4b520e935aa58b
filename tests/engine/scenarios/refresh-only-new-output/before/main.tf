resource "test_thing" "a" {
  name = "a"
  size = 1
}
