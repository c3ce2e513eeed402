job "x" {
  name = "café"
}
