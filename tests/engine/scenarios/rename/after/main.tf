resource "test_thing" "b" {
  name = "a"
}
