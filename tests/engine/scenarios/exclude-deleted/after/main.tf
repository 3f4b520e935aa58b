resource "test_thing" "d" {
  name = "d"
  size = 1
}
