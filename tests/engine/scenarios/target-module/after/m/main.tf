resource "test_thing" "a" {
  name = "a"
  size = 1
}
resource "test_thing" "c" {
  name = "c"
  size = 1
}
