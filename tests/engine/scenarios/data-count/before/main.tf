resource "test_thing" "y" {
  name = "y"
}
