"""What every package uses: settings, errors, the warehouse file and its lock, state files, the terminal."""
