resource "test_thing" "c" {
  name = "c"
}
