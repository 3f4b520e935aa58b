resource "test_thing" "b" {
  name = "b"
}
